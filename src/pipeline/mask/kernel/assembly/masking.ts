// What the masking kernel exports. AssemblyScript; called by kernel.ts of the folder above, which owns the memory.
export * from './masking/room';
export * from './masking/scan';
export * from './masking/column';
export * from './masking/cmac';
export * from './masking/join';
export * from './masking/json';
