// The key that signs the service's logs: by reference, or that of the home where everything is on one machine. Each workspace's log has a key of its own,
// derived from it, and this process remembers what it signed last.
import { join } from 'node:path';

import type { Settings } from '../config/settings.js';
import { digestBytes } from '../kernel/digest.js';
import { toError } from '../kernel/errors.js';
import { type Signer, deriveSigner, parseSignerKey, toSigner } from '../kernel/signed-note.js';
import { parseArchiveNoteText } from '../pipeline/archive.js';
import { breakglassScope, parseBreakglassText } from '../pipeline/breakglass.js';
import { parseMarkerText } from '../pipeline/marker.js';
import { keepServiceLog, loadSigner, readLastNote } from '../systems/files/files.js';
import type { LogKeys } from '../systems/metadata/metadata.js';
import { openHome, readReference } from './home.js';

/** Throws SETTING_MISSING where a metadata database of its own is shared and no key is given. */
export async function openLogKeys(settings: Settings, environment: NodeJS.ProcessEnv): Promise<LogKeys> {
  const home = openHome(settings);
  const master = await loadMaster(settings, environment, home);
  const signers = new Map<string, Signer>();
  const signerOf = (workspaceId: string): Signer => {
    const signer = signers.get(workspaceId) ?? deriveSigner(master, workspaceId);
    signers.set(workspaceId, signer);
    return signer;
  };
  return {
    period: settings.BAUTA_LOG_PERIOD,
    signerOf: (workspaceId) => Promise.resolve(signerOf(workspaceId)),
    lastOf: (workspaceId) => readLastNote(home, workspaceId),
    remember: (workspaceId, note) => keepServiceLog(home, workspaceId, note, signerOf(workspaceId).verifier),
    maySign,
  };
}

async function loadMaster(settings: Settings, environment: NodeJS.ProcessEnv, home: string): Promise<Signer> {
  const { BAUTA_LOG_KEY: reference, BAUTA_METADATA: metadata } = settings;
  if (reference === '') {
    if (metadata !== '')
      throw toError('SETTING_MISSING', {
        name: 'BAUTA_LOG_KEY',
        expected: 'env:NAME or file:PATH, the same for every process that sequences',
      });
    return loadSigner({ keys: join(home, 'keys'), publicKey: join(home, 'log.pub') }, false);
  }
  const text = readReference(reference, environment);
  const signer = /^[A-Za-z0-9+/]{43}=$/.test(text) ? toNamed(Buffer.from(text, 'base64')) : parseSignerKey(text);
  if (!signer) throw toError('KEY_FILE_INVALID', { file: 'BAUTA_LOG_KEY' });
  return signer;
}

/** Named by its public key: the same for every process that has it, and no two keys alike. */
function toNamed(seed: Uint8Array): Signer {
  const { publicKey } = toSigner('unnamed', seed).verifier;
  return toSigner(`bauta.invalid/${digestBytes(publicKey).slice('sha256:'.length, 'sha256:'.length + 12)}`, seed);
}

/**
 * A marker of a dataset whose publication the log has announced where the marker says, the manifest of an archive that it has announced, and a
 * break-glass that it has as issued: nothing else is signed beside the log itself.
 */
const maySign: LogKeys['maySign'] = async (text, eventAt) => {
  const archive = parseArchiveNoteText(text);
  if (archive) {
    const told = await eventAt(archive.log.origin, archive.log.index);
    return told?.type === 'archive.described' && told.runId === archive.runId && told.data['manifest'] === archive.manifest;
  }
  const glass = parseBreakglassText(text);
  if (glass) {
    const told = await eventAt(glass.log.origin, glass.log.index);
    const { id, issuedAt, expiresAt } = glass;
    const same = told?.data['breakglass'] === id && told.data['issuedAt'] === issuedAt && told.data['expiresAt'] === expiresAt;
    return told?.type === 'breakglass.issued' && same && breakglassScope.every((name) => told.data[name] === glass[name]);
  }
  const marker = parseMarkerText(text);
  const event = marker && (await eventAt(marker.log.origin, marker.log.index));
  if (!marker || event?.type !== 'dataset.published.intended' || event.runId !== marker.runId) return false;
  const { target, version, planDigest, manifest, server, servers } = event.data;
  const said = [target, version, planDigest, manifest];
  const meant = [marker.target, marker.version, marker.planDigest, marker.manifest];
  const places = [server, ...(Array.isArray(servers) ? (servers as readonly unknown[]) : [])];
  if (!places.includes(marker.systemIdentifier)) return false;
  return said.every((value, i) => value === meant[i]);
};
