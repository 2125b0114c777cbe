// What the log is watched for, and how strictly: a rule each, which holds unless a Watch document says otherwise.

/** In the order in which they are told. */
export const watchRules = [
  ...(['detokenisations', 'clones', 'first-seen', 'outside-hours', 'residual'] as const),
  ...(['denials', 'failed-log-ins', 'protection-weakened', 'silence'] as const),
] as const;

export type WatchRule = (typeof watchRules)[number];

/** Working hours on a clock of a zone. */
export interface WatchHours {
  readonly timeZone: string;
  readonly days: readonly (typeof weekdays)[number][];
  /** `HH:MM`; `until` is the first minute that is outside, `24:00` the end of the day. */
  readonly from: string;
  readonly until: string;
}

export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

export interface Watch {
  /** False: a document switched it off, with a reason. */
  readonly on: boolean;
  /** Of the spikes: how many standard deviations over the mean of its own history a day may be. */
  readonly sigmas: number;
  /** Of the spikes: fewer than so many in a day are none. Of the bursts: so many in an hour are one. */
  readonly atLeast: number;
  readonly hours: WatchHours;
  /** Of silence: how long after the instant that was due nothing has to be in the log. */
  readonly graceMinutes: number;
  /** By name; absent: nobody but channels is told. */
  readonly playbook?: string;
}

/** Of spikes: days that a day is held against, as far as the log goes back. */
export const HISTORY_DAYS = 28;
/** Days that the log has to go back before anything is called unusual, or new. */
export const LEARNING_DAYS = 7;

const hours: WatchHours = {
  timeZone: 'UTC',
  days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
  from: '06:00',
  until: '20:00',
};
const usual: Watch = { on: true, sigmas: 3, atLeast: 5, hours, graceMinutes: 15 };

/** Without a document. */
export const defaultWatches: Readonly<Record<WatchRule, Watch>> = {
  detokenisations: usual,
  clones: usual,
  'first-seen': usual,
  'outside-hours': usual,
  residual: { ...usual, atLeast: 1 },
  denials: { ...usual, atLeast: 10 },
  'failed-log-ins': usual,
  'protection-weakened': { ...usual, atLeast: 1 },
  silence: usual,
};

/** Which members a document of a rule may have beside `off` and `playbook`. */
export const watchMembers: Readonly<Record<WatchRule, readonly ('sigmas' | 'atLeast' | 'hours' | 'graceMinutes')[]>> = {
  detokenisations: ['sigmas', 'atLeast'],
  clones: ['sigmas', 'atLeast'],
  'first-seen': [],
  'outside-hours': ['hours'],
  residual: [],
  denials: ['atLeast'],
  'failed-log-ins': ['atLeast'],
  'protection-weakened': [],
  silence: ['graceMinutes'],
};

/** Rules whose anomalies say which copy they are about: of the others nobody knows what to isolate. */
export const startsPlaybook: ReadonlySet<WatchRule> = new Set(['detokenisations', 'clones', 'first-seen', 'outside-hours', 'residual']);
