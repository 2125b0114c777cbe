// hot path: the leaves that a walk found become columns, and the values are written with the masked ones in their places. Edits as json-walk.ts lists them.
import { escapeJson, isBareJson } from './json-text';
import { editBytes, removal } from './json-walk';
import { ensure } from './room';

/** Adds 1 to `counts[slot]` for each edit that replaces a leaf. */
export function countLeaves(edits: usize, stop: usize, counts: usize): void {
  for (; edits < stop; edits += editBytes) {
    const slot = load<i32>(edits, 8);
    if (slot < 0) continue;
    const count = counts + (<usize>slot << 2);
    store<i32>(count, load<i32>(count) + 1);
  }
}

/**
 * Makes the leaves of each slot a column. `slots`, 20 bytes each: where starts, ends, row of the batch and number among the slot's leaves of that row go, and
 * how many are there already. `rowOf` says which row of the batch a value belongs to; 0: its own number.
 */
export function placeLeaves(edits: usize, firsts: usize, rows: i32, rowOf: usize, slots: usize): void {
  for (let i = 0; i < rows; i++) {
    const row = rowOf ? load<i32>(rowOf + (<usize>i << 2)) : i;
    const stop = edits + editBytes * <usize>load<i32>(firsts + (<usize>(i + 1) << 2));
    for (let one = edits + editBytes * <usize>load<i32>(firsts + (<usize>i << 2)); one < stop; one += editBytes) {
      const number = load<i32>(one, 8);
      if (number < 0) continue;
      const slot = slots + <usize>number * 20;
      const index = load<i32>(slot, 16);
      const leaf = <usize>index << 2;
      const rowsAt = <usize>load<u32>(slot, 8);
      const ordinalsAt = <usize>load<u32>(slot, 12);
      store<i32>(<usize>load<u32>(slot) + leaf, load<i32>(one, 16));
      store<i32>(<usize>load<u32>(slot, 4) + leaf, load<i32>(one, 20));
      store<i32>(rowsAt + leaf, row);
      const follows = index > 0 && load<i32>(rowsAt + leaf - 4) == row;
      store<i32>(ordinalsAt + leaf, follows ? load<i32>(ordinalsAt + leaf - 4) + 1 : 0);
      store<i32>(one, index, 16);
      store<i32>(slot, index + 1, 16);
    }
  }
}

/**
 * Writes the values with their edits at `out`. `masked`, 8 bytes a slot: starts and ends of the masked leaves. Returns where the text ends, or −1 − row where
 * nobody wrote a leaf.
 */
export function renderJson(
  starts: usize, ends: usize, rows: i32, edits: usize, firsts: usize, masked: usize, toStarts: usize, toEnds: usize, out: usize,
): i32 {
  for (let row = 0; row < rows; row++) {
    const value = <usize>row << 2;
    const stop = load<i32>(ends + value);
    store<i32>(toStarts + value, <i32>out);
    if (stop == -1) {
      store<i32>(toEnds + value, -1);
      continue;
    }
    let from = <usize>load<u32>(starts + value);
    const last = edits + editBytes * <usize>load<i32>(firsts + value + 4);
    for (let one = edits + editBytes * <usize>load<i32>(firsts + value); one < last; one += editBytes) {
      out = copy(from, load<u32>(one), out);
      from = load<u32>(one, 4);
      const slot = load<i32>(one, 8);
      if (slot == removal) continue;
      let leafStart: usize = 0;
      let leafEnd = -1;
      if (slot >= 0) {
        const column = masked + (<usize>slot << 3);
        const leaf = <usize>load<i32>(one, 16) << 2;
        leafStart = load<u32>(<usize>load<u32>(column) + leaf);
        leafEnd = load<i32>(<usize>load<u32>(column, 4) + leaf);
        if (leafEnd < -1) return -1 - row;
      }
      if (leafEnd == -1) {
        ensure(out + 64);
        store<u32>(out, 0x6c6c756e);
        out += 4;
      } else if (load<i32>(one, 12) == 1 && isBareJson(leafStart, <usize>leafEnd)) out = copy(leafStart, <usize>leafEnd, out);
      else out = escapeJson(leafStart, <usize>leafEnd, out);
    }
    out = copy(from, <usize>stop, out);
    store<i32>(toEnds + value, <i32>out);
  }
  return <i32>out;
}

// @ts-ignore: decorator
@inline
function copy(from: usize, stop: usize, to: usize): usize {
  const length = stop - from;
  ensure(to + length + 64);
  v128.store(to, v128.load(from));
  for (let i: usize = 16; i < length; i += 16) v128.store(to + i, v128.load(from + i));
  return to + length;
}
