// The door of rotations: logins of connections get new passwords, and how old they are.
export { RotationsController } from './rotations-controller.js';
export { type SecretAge, readSecretAges } from './secret-ages.js';
