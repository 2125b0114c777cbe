// A person who asks to be erased: his name, logins and what he said go, and his random id stays, by which the log knows him. The service can write
// none of these places by itself; it may call this, which erases and does nothing else.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ErasedPeople1763700000018 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE bauta.person ADD COLUMN erased_at timestamptz;
      -- Where the texts of an earlier version were taken out: its digest is still that of what was applied.
      ALTER TABLE bauta.document ADD COLUMN erased_at timestamptz;
    `);
    await runner.query(texts);
    await runner.query(erasure);
    await runner.query(lookups);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

const texts = `
  -- Words as they stand alone, in whatever case. Null: there are none.
  CREATE FUNCTION bauta.to_pattern(words text[]) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT '(?<![[:alnum:]])(' || string_agg(regexp_replace(w, '([^[:alnum:]])', '\\\\\\1', 'g'), '|') || ')(?![[:alnum:]])'
    FROM unnest(words) w WHERE w <> '' $$;

  -- A text of JSON without the escapes that would hide where a word begins.
  CREATE FUNCTION bauta.to_plain(given text) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
    SELECT regexp_replace(given, '\\\\([bfnrt]|u00[01][0-9a-f])', ' ', 'g') $$;

  -- The value without the words, in the members that people write for people; and without what trusts the tokens of somebody of that name.
  CREATE FUNCTION bauta.without(given json, pattern text, person text, member text DEFAULT '') RETURNS json LANGUAGE plpgsql IMMUTABLE
    SET search_path = '' AS $$
    BEGIN
      CASE json_typeof(given)
      WHEN 'object' THEN
        -- Names of a database's roles.
        IF member = 'roles' THEN RETURN given; END IF;
        RETURN (SELECT coalesce(json_object_agg(e.key, bauta.without(e.value, pattern, person, e.key)), '{}') FROM json_each(given) e);
      WHEN 'array' THEN
        RETURN (SELECT coalesce(json_agg(bauta.without(e.value, pattern, person, member) ORDER BY e.ordinality), '[]')
          FROM json_array_elements(given) WITH ORDINALITY e
          WHERE NOT (member = 'trusts' AND json_typeof(e.value) = 'object' AND e.value ->> 'person' = person));
      WHEN 'string' THEN
        IF member = ANY ('{reason,comment,description,purpose,owner,contact,representative,dataProtectionOfficer,to,person,sub,message,hint,file,branch}')
          THEN RETURN to_json(regexp_replace(given #>> '{}', pattern, '[erased]', 'gi')); END IF;
        RETURN given;
      ELSE RETURN given;
      END CASE;
    END $$;
`;

const erasure = `
  -- Gives how much was erased, and where a word still stands: what is in force is for others to change, and what was signed cannot be.
  -- Nothing: there is no such person in this workspace, or one who administers it or answers for a service account.
  CREATE FUNCTION bauta.erase_person(wanted uuid, more text[]) RETURNS json
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
    DECLARE
      here uuid := bauta.current_workspace();
      stays text := 'erased-person-' || wanted;
      was text;
      pattern text;
      n_texts integer := 0; n_documents integer := 0; n_approvals integer := 0; n_runs integer := 0; n integer;
      places json;
    BEGIN
      SELECT p.name INTO was FROM bauta.person p WHERE p.workspace_id = here AND p.id = wanted FOR UPDATE;
      IF NOT FOUND
        OR EXISTS (SELECT FROM bauta.role_grant g WHERE g.workspace_id = here AND g.person_id = wanted AND g.role = 'administrator')
        OR EXISTS (SELECT FROM bauta.person p WHERE p.workspace_id = here AND p.owner_id = wanted AND p.erased_at IS NULL)
      THEN RETURN NULL; END IF;
      pattern := bauta.to_pattern(more || nullif(was, stays));

      DELETE FROM bauta.role_grant g WHERE g.workspace_id = here AND g.person_id = wanted;
      UPDATE bauta.token t SET revoked_at = coalesce(t.revoked_at, clock_timestamp()), name = 'erased'
        WHERE t.workspace_id = here AND t.person_id = wanted;
      DELETE FROM bauta.idempotency i WHERE i.workspace_id = here
        AND (i.person_id = wanted OR bauta.to_plain(i.body::text) ~* pattern OR i.key ~* pattern);
      UPDATE bauta.person p SET name = stays, erased_at = coalesce(p.erased_at, clock_timestamp()) WHERE p.id = wanted;

      -- What he said himself, and what speaks of him.
      DELETE FROM bauta.erasable_text t WHERE t.workspace_id = here AND (t.text ~* pattern OR t.commitment IN (
        SELECT bauta.commitments(l.event::text || coalesce(l.payload::text, '')) FROM bauta.audit_leaf l
          WHERE l.workspace_id = here AND l.type = ANY ('{log.deleted.intended,text.erased.intended,person.erased.intended}')
            AND l.event::text LIKE '%"actor":"' || wanted || '"%'
        UNION ALL SELECT bauta.commitments(o.event::text) FROM bauta.outbox o
          WHERE o.workspace_id = here AND o.event::text LIKE '%"actor":"' || wanted || '"%'));
      GET DIAGNOSTICS n_texts = ROW_COUNT;
      IF pattern IS NOT NULL THEN
        UPDATE bauta.document d SET written = bauta.without(d.written, pattern, was), erased_at = clock_timestamp()
          WHERE d.workspace_id = here AND bauta.to_plain(d.written::text) ~* pattern
            AND d.version < (SELECT max(v.version) FROM bauta.document v WHERE v.workspace_id = here AND v.kind = d.kind AND v.name = d.name);
        GET DIAGNOSTICS n_documents = ROW_COUNT;
        -- Of roles and tokens there is nothing in it but of whom and which.
        UPDATE bauta.approval a SET subject = CASE WHEN a.kind IN ('roles', 'token')
            THEN regexp_replace(a.subject::text, pattern, '[erased]', 'gi')::json ELSE bauta.without(a.subject, pattern, was) END
          WHERE a.workspace_id = here AND a.state NOT IN ('waiting', 'approved') AND bauta.to_plain(a.subject::text) ~* pattern;
        GET DIAGNOSTICS n_approvals = ROW_COUNT;
        UPDATE bauta.run r SET summary = bauta.without(r.summary, pattern, was)
          WHERE r.workspace_id = here AND bauta.to_plain(r.summary::text) ~* pattern;
        GET DIAGNOSTICS n_runs = ROW_COUNT;
        UPDATE bauta.run_told t SET told = bauta.without(t.told, pattern, was)
          WHERE t.workspace_id = here AND bauta.to_plain(t.told::text) ~* pattern;
        UPDATE bauta.run_line l SET text = regexp_replace(l.text, pattern, '[erased]', 'gi') WHERE l.workspace_id = here AND l.text ~* pattern;
        places := bauta.places_of(here, pattern);
      END IF;
      RETURN json_build_object('texts', n_texts, 'documents', n_documents, 'approvals', n_approvals, 'runs', n_runs,
        'stillIn', coalesce(places, '[]'));
    END $$;

  -- At most a hundred of them.
  CREATE FUNCTION bauta.places_of(here uuid, pattern text) RETURNS json LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT json_agg(found.place) FROM (
      SELECT d.kind || ' ' || d.name || ' version ' || d.version AS place FROM bauta.document d
        WHERE d.workspace_id = here AND (bauta.to_plain(d.written::text) ~* pattern OR d.name ~* pattern)
      UNION ALL SELECT 'approval ' || a.id FROM bauta.approval a WHERE a.workspace_id = here AND bauta.to_plain(a.subject::text) ~* pattern
      UNION ALL SELECT 'run ' || r.id FROM bauta.run r
        WHERE r.workspace_id = here AND (bauta.to_plain(r.summary::text) ~* pattern OR r.pipeline ~* pattern)
      UNION ALL SELECT 'run ' || t.run_id FROM bauta.run_told t WHERE t.workspace_id = here AND bauta.to_plain(t.told::text) ~* pattern
      UNION ALL SELECT 'notification ' || n.id FROM bauta.notification n
        WHERE n.workspace_id = here AND (bauta.to_plain(n.message::text) ~* pattern OR n.channel ~* pattern)
      UNION ALL SELECT 'person ' || p.id FROM bauta.person p WHERE p.workspace_id = here AND p.name ~* pattern
      UNION ALL SELECT 'token ' || t.id FROM bauta.token t WHERE t.workspace_id = here AND t.name ~* pattern
      UNION ALL SELECT 'entry ' || l.log || '/' || l.position FROM bauta.audit_leaf l
        WHERE l.workspace_id = here AND bauta.to_plain(l.event::text || coalesce(l.payload::text, '')) ~* pattern
      LIMIT 100) found $$;

  REVOKE ALL ON FUNCTION bauta.to_pattern(text[]), bauta.to_plain(text), bauta.without(json, text, text, text),
    bauta.erase_person(uuid, text[]), bauta.places_of(uuid, text) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION bauta.erase_person(uuid, text[]) TO bauta_service;
`;

/** As before, and nobody is found by a token of somebody who was erased. */
const lookups = `
  CREATE OR REPLACE FUNCTION bauta.find_token(wanted bytea)
    RETURNS TABLE (id uuid, workspace_id uuid, person_id uuid, owner_id uuid, person text, roles text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT t.id, t.workspace_id, t.person_id, coalesce(p.owner_id, p.id), p.name,
      ARRAY(SELECT g.role || CASE WHEN g.environment = '' THEN '' ELSE '@' || g.environment END
        FROM bauta.role_grant g WHERE g.person_id = t.person_id ORDER BY 1)
    FROM bauta.token t JOIN bauta.person p ON p.id = t.person_id
    WHERE t.digest = wanted AND t.revoked_at IS NULL AND t.expires_at > pg_catalog.now() AND p.erased_at IS NULL $$;
`;
