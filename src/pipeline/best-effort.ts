// How well `redact` does, measured: what plan, gate and summary say beside it. `node dist/bench/redaction.js` gives the figures anew, and a test
// holds these against the code.

export const redactRecall = {
  /** Of a hundred personal stretches of text so many are found. */
  percent: 71,
  /** Of a hundred stretches that are replaced so many are personal. */
  precisionPercent: 84,
  corpus: '20,000 made-up sentences in 8 languages',
  measuredOn: '2026-11-21',
} as const;

/** `recall 71 % on 20,000 made-up sentences in 8 languages`. */
export const redactRecallText = `recall ${redactRecall.percent} % on ${redactRecall.corpus}`;
