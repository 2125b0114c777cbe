// Faults that a composed run is given, each with a value of a row in what it throws: doors that break, and transforms that do.
import type { Composed } from '../../src/cli/compose.js';
import type { Batch } from '../../src/pipeline/batch.js';
import { createMaskExecutor, prepareMask, transforms } from '../../src/pipeline/mask/mask.js';
import type { Apply } from '../../src/pipeline/mask/transform.js';
import type { Doors } from '../../src/pipeline/run.js';
import { canaries } from './canaries.js';

/** What a library throws when it means well: the value stands in the text, in fields beside it and in what caused it. */
function toTelling(): Error {
  const text = `cannot work on "${canaries.firstName}"`;
  const told = {
    code: '22P02',
    detail: `Failing row contains (${canaries.email}).`,
    where: `COPY customer, line 3: "${canaries.lastName}"`,
  };
  return Object.assign(new Error(text, { cause: new TypeError(canaries.phone) }), told);
}

/** The door with one method that throws; all others are its own. */
function breaking<T extends object>(door: T, method: keyof T, thrown: () => Error = toTelling): T {
  return new Proxy(door, {
    get: (real, name): unknown => {
      if (name === method) return () => Promise.reject(thrown());
      const member: unknown = Reflect.get(real, name);
      return typeof member === 'function' ? (member.bind(real) as unknown) : member;
    },
  });
}

/** A door of which what one method opens is broken. */
function opening<T extends object, M extends keyof T>(door: T, method: M, change: (opened: object) => object): T {
  return new Proxy(door, {
    get: (real, name): unknown => {
      const member: unknown = Reflect.get(real, name);
      if (typeof member !== 'function') return member;
      const bound = member.bind(real) as (...words: unknown[]) => Promise<object>;
      return name === method ? async (...words: unknown[]) => change(await bound(...words)) : bound;
    },
  });
}

const snapshotWith = (doors: Doors, method: string, thrown?: () => Error): Partial<Doors> => ({
  source: opening(doors.source, 'open', (snapshot) => breaking(snapshot, method as never, thrown)),
});
const stagingWith = (doors: Doors, method: string): Partial<Doors> => ({
  target: opening(doors.target, 'begin', (staging) => breaking(staging, method as never)),
});

async function* readOneAndBreak(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    yield batch;
    throw toTelling();
  }
}

/** One at least for each stage, by the stage's name. Only what comes after the publication finds a dataset published. */
export const stageFaults: Readonly<Record<string, (doors: Doors) => Partial<Doors>>> = {
  'source looks': (doors) => ({ source: breaking(doors.source, 'describe') }),
  'source opens': (doors) => ({ source: breaking(doors.source, 'open') }),
  'source throws a text': (doors) => ({ source: breaking(doors.source, 'describe', () => `no ${canaries.firstName}` as unknown as Error) }),
  'source reads sequences': (doors) => snapshotWith(doors, 'sequences'),
  'extract in the middle of a table': (doors) => ({
    source: opening(doors.source, 'open', (snapshot) => {
      const read = Reflect.get(snapshot, 'read') as (range: unknown) => AsyncIterable<Batch>;
      return new Proxy(snapshot, {
        get: (real, name): unknown => {
          if (name === 'read') return (range: unknown) => readOneAndBreak(read.call(real, range));
          const member: unknown = Reflect.get(real, name);
          return typeof member === 'function' ? (member.bind(real) as unknown) : member;
        },
      });
    }),
  }),
  'mask executor': () => ({ executor: () => Promise.reject(toTelling()) }),
  'mask in the middle of a table': (doors) => ({
    executor: async (plan) => breaking(await doors.executor(plan), 'mask'),
  }),
  'mask keys': (doors) => ({ keys: breaking(doors.keys, 'currentVersion') }),
  'gate decides': (doors) => ({ policy: breaking(doors.policy, 'decide') }),
  'deliver looks': (doors) => ({ target: breaking(doors.target, 'inspect') }),
  'deliver sweeps': (doors) => ({ target: breaking(doors.target, 'sweep') }),
  'deliver begins': (doors) => ({ target: breaking(doors.target, 'begin') }),
  'deliver loads': (doors) => stagingWith(doors, 'load'),
  'deliver finishes': (doors) => stagingWith(doors, 'finish'),
  'deliver sets sequences': (doors) => stagingWith(doors, 'setSequences'),
  'deliver runs after files': (doors) => stagingWith(doors, 'runAfter'),
  'deliver publishes': (doors) => stagingWith(doors, 'publish'),
  'deliver drops': (doors) => ({
    target: opening(doors.target, 'begin', (staging) => breaking(breaking(staging, 'finish' as never), 'drop' as never)),
  }),
  'verify opens': () => ({ reader: () => Promise.reject(toTelling()) }),
  'verify looks at keys': (doors) => ({
    reader: async (snapshot, staging) => breaking(await doors.reader(snapshot, staging), 'integrity'),
  }),
  'audit appends': (doors) => ({ sink: breaking(doors.sink, 'append') }),
  'report sums up': () => ({
    peakRssBytes: () => {
      throw toTelling();
    },
  }),
};

/** The stage classify has no door: what it is given with the request breaks. */
export function breakClassify(composed: Composed): Composed {
  const scanSchema = (): never => {
    throw toTelling();
  };
  return { ...composed, request: { ...composed.request, scanSchema } };
}

/** A transform that throws what it was given, in the calling thread. `keep` is no code of its own: there the executor does. */
export function breakTransform(composed: Composed, name: string): Composed {
  const { doors } = composed;
  const told = (bytes: Uint8Array): RangeError => new RangeError(`no room for ${Buffer.from(bytes).toString('latin1')}`);
  const broken = transforms.map((transform) => {
    const prepare = (): Apply => (column) => {
      throw told(column.bytes);
    };
    return transform.name === name ? { ...transform, prepare } : transform;
  });
  const executor: Doors['executor'] = async (plan) => {
    const real = createMaskExecutor(await prepareMask(plan, doors.keys), { transforms: broken });
    return name === 'keep' ? { ...real, mask: ({ bytes }) => Promise.reject(told(bytes)) } : real;
  };
  return { ...composed, doors: { ...doors, executor } };
}

/** Says yes to every plan: these runs are about what comes after the gate. */
export function openGate(composed: Composed): Composed {
  const decision = { decisionId: 'of a test', allow: true, reasons: [], policy: { revision: 'of a test', digest: 'none' } };
  return {
    ...composed,
    doors: { ...composed.doors, policy: { decide: () => Promise.resolve(decision), close: () => composed.doors.policy.close() } },
  };
}
