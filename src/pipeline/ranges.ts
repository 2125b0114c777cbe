// The ranges of a run that shares them with nobody and leaves none of them behind: they are known here and nowhere else.
import type { LoadInto, Range, Ranges, Receipt } from './ports.js';

export function toOwnRanges(all: readonly Range[], into: LoadInto): Ranges {
  const loaded = new Map<number, Receipt>();
  let next = 0;
  return {
    all,
    shared: false,
    loadNext: async (load) => {
      if (next >= all.length) return 'done';
      const at = next++;
      loaded.set(at, await load(at, into));
      return 'loaded';
    },
    findLoaded: (among) =>
      Promise.resolve(
        among.flatMap((at) => {
          const receipt = loaded.get(at);
          return receipt ? [{ at, receipt }] : [];
        }),
      ),
  };
}
