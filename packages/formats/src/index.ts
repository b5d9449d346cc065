export { formats, loadFormats, type ListedFormat } from './formats.js';
