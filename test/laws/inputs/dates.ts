// Dates and timestamps as COPY writes them under DateStyle ISO and TimeZone UTC.
import fc from 'fast-check';

const day = fc.date({ min: new Date('1900-01-01T00:00:00Z'), max: new Date('2030-12-31T00:00:00Z'), noInvalidDate: true });
const time = fc.date({ min: new Date('1900-01-01T00:00:00Z'), max: new Date('2030-12-31T00:00:00Z'), noInvalidDate: true });

export const isoDay = day.map((date) => date.toISOString().slice(0, 10));

export const isoTime = fc.tuple(time, fc.boolean()).map(([date, whole]) =>
  date
    .toISOString()
    .slice(0, whole ? 19 : 23)
    .replace('T', ' '),
);

export const isoTimeUtc = isoTime.map((text) => `${text}+00`);

/** Days at the edges of the calendar, which the server writes too. */
export const edgeDay = fc.constantFrom(
  '0001-01-01',
  '0044-03-15 BC',
  '0001-12-31 BC',
  '2000-02-29',
  '1600-02-29',
  '9999-12-31',
  '4000-02-29',
);
