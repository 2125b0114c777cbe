// What the masking kernel exports. AssemblyScript; called by kernel.ts of the folder above, which owns the memory.
export * from './masking/room';
export * from './masking/scan';
export * from './masking/column';
export * from './masking/cmac';
export * from './masking/join';
export { jsonFailedDepth, jsonFailedRow, jsonFailure, jsonKeys, walkJson } from './masking/json-walk';
export * from './masking/json-leaves';
export * from './masking/words';
export * from './masking/dates';
export * from './masking/numbers';
export * from './masking/replace';
export * from './masking/iban';
