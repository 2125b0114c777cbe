// Jest's environment for Node, in which asking for `Math` or `Buffer` costs what it costs outside. A context of node:vm hands every look at a global name to
// a callback, some fifty times as dear as in the program that is tested, and code that counts bytes asks for `Math.imul` at each. Names that a script of
// the context declares come before its global object. Whoever puts another thing in the place of one of these is not heard: what tests replace (`Date`,
// timers, `process`) is not among them.
import { runInContext } from 'node:vm';

import { TestEnvironment } from 'jest-environment-node';

const names = [
  ...['Object', 'Function', 'Array', 'String', 'Number', 'BigInt', 'Boolean', 'Symbol', 'Math', 'JSON', 'RegExp', 'Reflect', 'Proxy'],
  ...['Map', 'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'Promise', 'Error', 'TypeError', 'RangeError', 'SyntaxError'],
  ...['ArrayBuffer', 'SharedArrayBuffer', 'Atomics', 'DataView', 'Buffer', 'TextEncoder', 'TextDecoder', 'URL', 'URLSearchParams'],
  ...['Uint8Array', 'Uint8ClampedArray', 'Int8Array', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array', 'BigUint64Array'],
  ...['BigInt64Array', 'Float32Array', 'Float64Array', 'isNaN', 'isFinite', 'parseInt', 'parseFloat'],
];

export default class FastGlobals extends TestEnvironment {
  constructor(...given) {
    super(...given);
    runInContext(`const ${names.map((name) => `${name} = globalThis.${name}`).join(', ')};`, this.context);
  }
}
