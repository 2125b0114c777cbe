-- Rows for schema.sql: 220,000 and a few, the same every time. Nobody in here exists; the person with id 1 is the canary.
SET TimeZone = 'UTC';
CREATE FUNCTION pg_temp.pick(i bigint, salt int, words text[]) RETURNS text LANGUAGE sql IMMUTABLE
  AS $$ SELECT words[1 + (hashint8(i * 31 + salt) & 2147483647) % array_length(words, 1)] $$;
CREATE FUNCTION pg_temp.number(i bigint, salt int, below bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  AS $$ SELECT (hashint8extended(i, salt) & 9223372036854775807) % below $$;

INSERT INTO shop.store (name, opening_hours, price_level)
  SELECT 'Store ' || i, jsonb_build_object('mon', '09-18', 'sat', '10-16'), shop.money_range(i, i * 10) FROM generate_series(1, 12) i;

INSERT INTO "Human Resources"."Employee" ("First Name", "Last Name", "E-mail", "Salary", "Works In", "Boss", "Badge Photo", "Hired")
  SELECT pg_temp.pick(i, 1, '{Grace,Ada,Alan,Edsger,Barbara,Donald,Radia,Ken,Frances,John}'), pg_temp.pick(i, 2, '{Hopper,Lovelace,Turing,Dijkstra,Liskov,Knuth,Perlman,Thompson,Allen,Backus}'),
    'staff' || i || '@shop-internal.net', 2000 + pg_temp.number(i, 3, 500000) / 100.0, 1 + i % 12, CASE WHEN i > 12 THEN 1000 + i % 12 END,
    CASE WHEN i % 3 = 0 THEN decode(md5(i::text), 'hex') END, date '2010-01-01' + (i * 3) FROM generate_series(1, 400) i;
UPDATE shop.store s SET manager_id = 1000 + id;

INSERT INTO shop.customer (email, first_name, last_name, phone, birth_date, national_id, card_number, iban, signup_ip, nicknames, attributes, profile, emergency_contact, password_hash, country, notes, marketing, favourite_store, created_at)
SELECT
  CASE WHEN i = 1 THEN 'Zebedee.Quillfeather@Canary-Mail.net' ELSE lower(f) || '.' || i || '@' || pg_temp.pick(i, 5, '{gmail.com,yahoo.fr,corp.co.uk,mail.ru,gmx.de}') END,
  CASE WHEN i = 1 THEN 'Zebedee' ELSE f END, CASE WHEN i = 1 THEN 'Quillfeather' ELSE l END,
  CASE WHEN i % 11 <> 0 THEN '+1-' || 200 + pg_temp.number(i, 6, 700) || '-' || 200 + pg_temp.number(i, 7, 700) || '-' || lpad((i % 10000)::text, 4, '0') END,
  CASE WHEN i % 13 <> 0 THEN date '1940-01-01' + pg_temp.number(i, 8, 24000)::int END,
  lpad((1 + pg_temp.number(i, 9, 665))::text, 3, '0') || '-' || lpad((1 + pg_temp.number(i, 10, 99))::text, 2, '0') || '-' || lpad((1 + i % 9999)::text, 4, '0'),
  CASE WHEN i % 4 <> 0 THEN '4' || lpad(pg_temp.number(i, 11, 1000000000000000)::text, 15, '0') END,
  'GB' || lpad((2 + pg_temp.number(i, 12, 97))::text, 2, '0') || 'BARC' || lpad(i::text, 14, '0'),
  ('10.' || (i >> 16 & 255) || '.' || (i >> 8 & 255) || '.' || (i & 255))::inet,
  CASE WHEN i % 5 = 0 THEN ARRAY[left(f, 3) || 'y', 'the "' || l || '"', NULL] WHEN i % 7 = 0 THEN '{}' END,
  CASE WHEN i % 3 = 0 THEN hstore(ARRAY['skype', lower(f) || '.' || i, 'size', pg_temp.pick(i, 13, '{S,M,L}')]) END,
  jsonb_build_object('lang', pg_temp.pick(i, 14, '{en,fr,de,ar}'), 'contact', jsonb_build_object('email', lower(f) || i || '@gmail.com', 'phone', '+1-555-' || i),
    'family', CASE WHEN i % 6 = 0 THEN jsonb_build_array(jsonb_build_object('name', pg_temp.pick(i, 15, '{Tim,Tom,Eva,Zoë}') || ' ' || l, 'age', i % 80), jsonb_build_object('name', 'Ünal ' || l, 'age', NULL)) ELSE '[]' END, 'score', i % 100),
  CASE WHEN i % 9 = 0 THEN ROW(pg_temp.pick(i, 16, '{Maria,José,"O''Neil, Pat"}') || ' ' || l, '+44 20 7946 ' || lpad((i % 10000)::text, 4, '0'))::shop.contact END,
  '$2b$12$' || left(translate(encode(sha256(i::text::bytea), 'base64'), '+=', './') || translate(encode(sha256((-i)::text::bytea), 'base64'), '+=', './'), 53),
  pg_temp.pick(i, 17, '{US,GB,FR,DE,EG}'),
  CASE i % 8
    WHEN 0 THEN E'Called about invoice;\tsaid "ok"\n second line\r\n with \\ backslash ' || i
    WHEN 1 THEN E'\\N'
    WHEN 2 THEN 'مرحبا ' || f || ' 👋🏽 ' || l
    WHEN 3 THEN 'Write to ' || lower(f) || '.' || i || '@gmail.com or call ' || f || ' ' || l
    WHEN 4 THEN ''
    WHEN 5 THEN 'it''s "quoted", {braces} and \.'
  END,
  i % 4 = 0, CASE WHEN i % 2 = 0 THEN 1 + i % 12 END, timestamptz '2019-01-01' + (i || ' minutes')::interval
FROM (SELECT i, pg_temp.pick(i, 1, '{James,Mary,Robert,Patricia,John,Jennifer,Michael,Linda,David,Elizabeth,Wei,Olga,Fatima,Søren,Zoë,Renée,Björn,محمد}') AS f,
  pg_temp.pick(i, 2, '{Smith,Johnson,Williams,Brown,Jones,Garcia,Miller,Davis,Rodriguez,Martinez,Nguyen,O''Brien,Müller,Kowalski,Al-Rashid,"van der Berg"}') AS l FROM generate_series(1, 25000) i) AS person
ORDER BY i;
UPDATE shop.customer SET referred_by = 1 + id / 3 WHERE id % 10 = 0;

INSERT INTO shop.address SELECT id, label, 1 + pg_temp.number(id, 20, 400) || ' ' || pg_temp.pick(id, 21, '{Main St,High Street,Oak Avenue,Rue de la Paix,Hauptstraße}'),
  1 + pg_temp.number(id, 22, 300), pg_temp.pick(id, 23, '{London,New York,Paris,Berlin,Warsaw,São Paulo}'), lpad(pg_temp.number(id, 24, 100000)::text, 5, '0'), country
  FROM shop.customer, unnest('{home,work}'::text[]) AS label WHERE label = 'home' OR id % 5 = 0;

INSERT INTO shop.product SELECT 'SKU-' || lpad(i::text, 5, '0'), pg_temp.pick(i, 30, '{Chair,Table,Lamp,Sofa,Shelf}') || ' ' || i, pg_temp.number(i, 31, 50000) / 100.0, ARRAY[pg_temp.pick(i, 32, '{wood,steel,glass}'), 'new'], make_interval(months => (i % 36)::int)
  FROM generate_series(1, 500) i;

INSERT INTO shop."order" (customer_id, customer_email, ship_customer_id, ship_label, status, total, ordered_at, delivery_window, gift_message)
  SELECT c.id, c.email, CASE WHEN i % 4 <> 0 THEN c.id END, CASE WHEN i % 4 <> 0 THEN 'home' END, (enum_range(NULL::shop.order_status))[1 + i % 5], pg_temp.number(i, 40, 100000) / 100.0,
    timestamptz '2024-01-01' + (i * 20 || ' minutes')::interval, CASE WHEN i % 3 = 0 THEN tstzrange(timestamptz '2024-01-02' + (i * 20 || ' minutes')::interval, NULL) END,
    CASE WHEN i % 10 = 0 THEN 'Happy birthday ' || c.first_name || '!' END
  FROM generate_series(1, 40000) i JOIN shop.customer c ON c.id = 1 + pg_temp.number(i, 41, 25000) ORDER BY i;

INSERT INTO shop.order_item (order_id, line, sku, quantity, price)
  SELECT o, l, 'SKU-' || lpad((1 + pg_temp.number(o * 3 + l, 42, 500))::text, 5, '0'), 1 + (o + l) % 4, pg_temp.number(o + l, 43, 30000) / 100.0 FROM generate_series(1, 40000) o, generate_series(1, 2) l;

INSERT INTO shop.payment SELECT id, id, ordered_at + interval '1 hour', total, CASE WHEN id % 2 = 0 THEN '5' || lpad(pg_temp.number(id, 44, 1000000000000000)::text, 15, '0') END, 'Card of ' || customer_email
  FROM shop."order" WHERE status <> 'new';

INSERT INTO shop.message (customer_id, body, sent_at) SELECT 1 + pg_temp.number(i, 50, 25000), 'Hello, my number is 020 7946 ' || lpad(i::text, 4, '0'), timestamptz '2025-01-01' + (i || ' minutes')::interval FROM generate_series(1, 4000) i;
INSERT INTO shop.complaint (customer_id, body, sent_at, urgent) SELECT 1 + pg_temp.number(i, 51, 25000), E'Angry!\n' || i, timestamptz '2025-03-01' + (i || ' minutes')::interval, i % 2 = 0 FROM generate_series(1, 500) i;

INSERT INTO shop.visit SELECT timestamptz '2025-06-01' + (i || ' seconds')::interval, CASE WHEN i % 2 = 0 THEN ('2001:db8::' || to_hex(i))::inet ELSE ('81.2.' || (i >> 8 & 255) || '.' || (i & 255))::inet END,
  ('08:00:2b:' || lpad(to_hex(i & 255), 2, '0') || ':' || lpad(to_hex(i >> 8 & 255), 2, '0') || ':01')::macaddr, 'Mozilla/5.0', CASE WHEN i % 3 = 0 THEN 1 + i % 25000 END, '/p/' || i % 500 FROM generate_series(1, 30000) i;

INSERT INTO shop.session SELECT md5('s' || i)::uuid, i, 'sk_live_' || md5('t' || i), timestamptz '2025-06-01' + (i || ' seconds')::interval, CASE WHEN i % 2 = 0 THEN 'https://hooks.partner.io/u/' || i END FROM generate_series(1, 5000) i;
INSERT INTO shop.booking (during, customer_id) SELECT tsrange(timestamp '2025-01-01' + (i || ' hours')::interval, timestamp '2025-01-01' + (i + 1 || ' hours')::interval), 1 + i % 25000 FROM generate_series(1, 1000) i;
INSERT INTO shop.support_ticket (customer_email, subject, transcript, status)
  SELECT c.email, 'Ticket ' || i, jsonb_build_array(jsonb_build_object('from', c.email, 'text', 'Hi, I am ' || c.first_name), jsonb_build_object('from', 'agent', 'text', 'How can I help?')), CASE WHEN i % 2 = 0 THEN 'open' ELSE 'closed' END
  FROM generate_series(1, 1500) i JOIN shop.customer c ON c.id = 1 + pg_temp.number(i, 60, 25000);
INSERT INTO shop."user" SELECT 'web', i, 'user_' || i, i FROM generate_series(1, 6000) i;
DO $$
BEGIN
  EXECUTE 'INSERT INTO shop.survey SELECT i, 1 + i % 25000' || (SELECT string_agg(format(', CASE WHEN (i + %s) %% 7 > 0 THEN (i * %s) %% 5 END', n, n), '' ORDER BY n) FROM generate_series(1, 198) n) || ' FROM generate_series(1, 3000) i';
END
$$;

REFRESH MATERIALIZED VIEW shop.revenue;
REFRESH MATERIALIZED VIEW shop.top_customer;
ANALYZE;
