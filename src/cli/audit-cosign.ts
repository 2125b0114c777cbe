// `bauta audit cosign`: asks the witnesses of a trust policy to cosign the newest checkpoint of a log that lies here. A service asks by itself.
import { toError, toErrorView } from '../kernel/errors.js';
import { gatherCosignatures, listLogs, parseCheckpoint } from '../pipeline/audit/audit.js';
import { openLogFiles, readTrustPolicy, writeCosigned } from '../systems/files/files.js';
import { HttpClient, toWitnessSender } from '../systems/http/http.js';
import { printError, stripControls, toCount, writeJson } from './print.js';

/** Exit 0 where as many witnesses cosigned as the policy asks for; else 1, and who did not is told. */
export async function cosignLog(folder: string, file: string, json: boolean): Promise<number> {
  const policy = await readTrustPolicy(file);
  if (!policy.witnesses.some(({ url }) => url !== undefined))
    throw toError('TRUST_POLICY_INVALID', { file, line: 1, expected: 'a witness with a URL, or nobody can be asked' });
  const files = openLogFiles(folder);
  const log = (await listLogs(files)).at(-1);
  if (log === undefined) throw toError('LOG_EMPTY');
  const { note, cosigned, failed } = await gatherCosignatures(files, log, policy, (url, { name }) =>
    toWitnessSender(url, name, (hosts) => new HttpClient({ hosts })),
  );
  if (note !== undefined) await writeCosigned(folder, log, note);
  const enough = policy.isQuorum(new Set(cosigned));
  const size = note === undefined ? 0 : (parseCheckpoint(note)?.size ?? 0);
  if (json) {
    const names = cosigned.map(({ name }) => name);
    writeJson({
      log,
      cosignedBy: names,
      quorum: enough,
      failed: failed.map(({ witness, error }) => ({ name: witness.name, ...toErrorView(error) })),
    });
  } else {
    for (const { error } of failed) printError(error);
    const names = cosigned.map(({ name }) => name).join(', ');
    const covers = note === undefined ? 'nothing new' : toCount(size, 'entry', 'entries');
    process.stdout.write(
      stripControls(
        `${log}: ${covers} cosigned by ${names === '' ? 'nobody' : names}${enough ? '' : `; the policy asks for ${policy.quorum}`}\n`,
        '\n',
      ),
    );
  }
  return enough ? 0 : 1;
}
