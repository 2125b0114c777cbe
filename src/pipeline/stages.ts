// The nine words of the way of the data, in the order in which they are told. Folder names and the headings of docs/tour.md are these.

export const stages = ['source', 'extract', 'classify', 'mask', 'gate', 'deliver', 'verify', 'audit', 'report'] as const;

export type Stage = (typeof stages)[number];
