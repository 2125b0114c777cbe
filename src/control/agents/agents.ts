// The door of /v1/agents: who may load what goes to an environment through a broker, and where each stands.
export { AgentClock, type AgentClockOptions, type AgentPace } from './agent-clock.js';
export { AgentsController } from './agents-controller.js';
