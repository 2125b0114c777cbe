// What a process of ours used, by /proc (Linux): CPU seconds and the most resident memory, threads included.
import { readFileSync, writeFileSync } from 'node:fs';

import { processCpu } from './reference.js';

export interface Figures {
  readonly cpuSeconds: number;
  readonly peakMB: number;
}

/** From now on. */
export function measure(pid: number): () => Figures {
  // proc(5): 5 sets the peak back to what the process holds now.
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const before = processCpu(pid);
  return () => ({ cpuSeconds: processCpu(pid) - before, peakMB: readPeakMB(pid) });
}

/** Of one that ends by itself: as it was looked at last, a tenth of a second before at most. */
export function follow(pid: number): () => Figures {
  let last: Figures = { cpuSeconds: 0, peakMB: 0 };
  const look = (): void => {
    const peakMB = readPeakMB(pid);
    if (peakMB > 0) last = { cpuSeconds: processCpu(pid), peakMB };
  };
  const looking = setInterval(look, 100);
  return () => {
    clearInterval(looking);
    return last;
  };
}

/** 0: it is gone. */
function readPeakMB(pid: number): number {
  try {
    return (Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024) / 1e6;
  } catch {
    return 0;
  }
}
