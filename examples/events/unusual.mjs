// Who used more than he usually does: reads the usage topic and prints, per person and action, the days whose amount is more than Z standard deviations
// above the mean of that person's other days: node unusual.mjs HOST:PORT [PREFIX] [Z]. People are the random ids of the log.
import { readTopic } from './read-topic.mjs';

const [broker, prefix = 'bauta', limit = '3'] = process.argv.slice(2);
const days = new Map();
const seen = new Set();
await readTopic(broker, `${prefix}.usage`, ({ key, value }) => {
  // Sent at least once: the same number is the same use.
  if (seen.has(key.toString())) return;
  seen.add(key.toString());
  const { who, action, at, amount } = JSON.parse(value.toString());
  if (who === null) return;
  const of = `${who} ${action}`;
  const byDay = days.get(of) ?? new Map();
  days.set(of, byDay);
  const day = at.slice(0, 10);
  byDay.set(day, (byDay.get(day) ?? 0) + (amount.values ?? amount.rows ?? 1));
});
for (const [of, byDay] of days) {
  for (const [day, amount] of byDay) {
    const z = toZ(
      amount,
      [...byDay].filter(([other]) => other !== day).map(([, one]) => one),
    );
    if (z > Number(limit)) console.log(`${day} ${of} ${amount} z=${z.toFixed(1)}`);
  }
}

/** Against the other days only: one large day would hide itself. At least a week of them; a person who always does the same has a deviation of one. */
function toZ(amount, others) {
  if (others.length < 7) return 0;
  const mean = others.reduce((sum, one) => sum + one, 0) / others.length;
  const variance = others.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (others.length - 1);
  return (amount - mean) / Math.max(1, Math.sqrt(variance));
}
