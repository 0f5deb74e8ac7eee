// build.mjs SOURCE WIT WORLD INTO [FEATURE...]: makes a component of a source, without these features of the engine.
// The command `componentize-js` does the same, but puts the path of the source into the component.

import { readFile, writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const [source, witPath, worldName, into, ...disableFeatures] = process.argv.slice(2);
const { component } = await componentize(await readFile(source, 'utf8'), { witPath, worldName, disableFeatures });
await writeFile(into, component);
