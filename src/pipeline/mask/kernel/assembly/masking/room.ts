// hot path: the memory that everything lies in. The caller hands out its parts from `begin()` on, in both languages as absolute addresses; what is written at
// the open end of it makes sure of room for itself. Behind the last byte in use there is always more than any loop reads or writes too far.

/**
 * Room for batches of the usual size: growing detaches the caller's views, and after the first detached buffer V8 checks every access to every typed array
 * (measured: transforms 40 % slower). Pages that nobody touches cost nothing.
 */
const first: usize = memory.data(24 << 20, 16);
/** What may be read or written beyond an end. */
const slack: usize = 1 << 16;

export function begin(): usize {
  return first;
}

/** Makes the memory reach beyond `end`. Traps where addresses no longer fit into 31 bits. */
// @ts-ignore: decorator
@inline
export function ensure(end: usize): void {
  if (end + slack > <usize>memory.size() << 16) grow(end);
}

export function grow(end: usize): void {
  if (end + slack > 0x7fff0000) unreachable();
  const has = memory.size();
  const needed = <i32>((end + slack + 0xffff) >>> 16) - has;
  // A quarter more, so that a value that grows byte by byte does not move everything each time.
  if (needed > 0 && memory.grow(min(needed + (has >> 2), 0x7fff - has)) < 0) unreachable();
}
