// Where the front end is built from and to, once for every build script.
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const lib = join(root, 'lib');
export const dist = join(root, 'dist');
export const labextension = join(dist, 'jaxlab');
export const widgetStatic = join(dirname(root), 'jaxlab', 'widgets', 'static');
