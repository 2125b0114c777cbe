// What an agent works with: its home, the broker, the database beside it, the time.
import type { KeyObject } from 'node:crypto';

import type { Clock } from '../kernel/clock.js';
import type { AgentEnrolment, AgentHome } from '../systems/files/files.js';
import type { Broker, TopicPlace } from '../systems/kafka/kafka.js';
import type { ConnectionTarget } from '../systems/postgres/postgres.js';
import type { AgentMetrics } from './metrics.js';
import type { Receipts } from './receipts.js';
import type { Refusals } from './refusals.js';

export interface AgentDoors {
  readonly home: AgentHome;
  /** The agent's own. */
  readonly key: KeyObject;
  /** The environment's, of which every message and every record has to be. */
  readonly serviceKey: KeyObject;
  readonly enrolment: AgentEnrolment;
  readonly place: TopicPlace;
  readonly broker: Broker;
  readonly connection: ConnectionTarget;
  readonly receipts: Receipts;
  readonly refusals: Refusals;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  /** For people, one line each. */
  readonly say: (line: string) => void;
}
