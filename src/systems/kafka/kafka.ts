// The door of the broker: connections, topics, records. The only folder that knows kafkajs.
export {
  type BrokerLogin,
  type BrokerTarget,
  isBrokerAddress,
  type ReadReference,
  resolveBroker,
  resolveBrokerDefinition,
} from './address.js';
export { Broker, type BrokerOptions, openBroker, type ProducerOptions } from './broker.js';
export { type OutBatch, type OutRecord, Producer, Transaction, type Written } from './producer.js';
export { type EnrolmentPlace, makeAgentTopics, tellAgent } from './enrolment.js';
export { type AgentStanding, type HeardAgents, type HeardReceipt, type KnownAgent, hearAgents, silent, toStanding } from './hear-agents.js';
export { type BulkRead, DatasetLoading, type RecordProblem, toRangesOf } from './loading/dataset-loading.js';
export { type InRecord, type Positions, type ReaderOptions, TopicReader } from './reader.js';
export { BrokerAdmin, type Grant, type TopicDefinition, type TopicState } from './topics.js';
export {
  longestTopicName,
  toBulkTopic,
  toControlTopic,
  toEnvironmentPrefix,
  type TopicPlace,
  toReceiptsTopic,
  toRowsTopic,
  toVersionTopic,
} from './wire/topic-names.js';
export type { EventRecord } from './publishing/cloud-event.js';
export { EventPublisher, type EventTopic, type EventTopics } from './publishing/event-publisher.js';
export {
  type LogPlace,
  eventVersion,
  toAuditRecord,
  toCheckpointRecord,
  toLineageRecord,
  toUsageRecord,
} from './publishing/event-records.js';
export {
  type AgentBody,
  type AgentPlace,
  type BeginBody,
  type CompleteBody,
  type ProgressBody,
  type PublishBody,
  parseAgent,
  parseBegin,
  parseComplete,
  parsePublish,
} from './wire/body.js';
export {
  type AgentToken,
  type EnrolmentRequest,
  type Invite,
  createToken,
  parseToken,
  readEnrolment,
  toInvite,
  toToken,
  writeEnrolment,
} from './wire/enrolment.js';
export {
  type ControlMessage,
  type ControlType,
  type MessageProblem,
  MessageReader,
  type ReadMessage,
  type ReceiptMessage,
  type ReceiptType,
  readControl,
  readReceipt,
  toClaimedAgent,
  writeControl,
  writeReceipt,
} from './wire/message.js';
export { type DatasetKey } from './wire/record.js';
export { type AgentState } from './stream/receipts.js';
export { BulkEncoding } from './stream/bulk-encoding.js';
export { RowsEncoding, type RowsEncodingOptions } from './stream/rows-encoding.js';
export { SchemaRegistry, usualChoices } from './wire/rows/rows.js';
export { type StreamStep, streamSteps } from './stream/staging.js';
export { type StreamSettings, StreamTarget, type StreamTargetOptions } from './stream/target.js';
