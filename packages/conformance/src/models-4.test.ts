import { describeShard } from './models.js';

describeShard(4);
