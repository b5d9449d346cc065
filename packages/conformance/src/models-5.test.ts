import { describeShard } from './models.js';

describeShard(5);
