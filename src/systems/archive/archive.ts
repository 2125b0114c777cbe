// The door of archive files.
export { ArchiveFile, toMember, unpack } from './read-archive.js';
export { findHeader, mostHeaderBytes, openHeader, seal, sealBytes, newIdentity, toIdentity, toRecipient, unsealBytes } from './seal.js';
export type { TarMember } from './tar.js';
export { type MemberWriter, type WrittenFile, copyArchive, writeArchive } from './write-archive.js';
export { type ArchiveName, type ArchivePlace, dropOfRun, dropUnfinished, prune, toArchivePath } from './archive-folder.js';
