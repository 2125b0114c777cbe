# METADATA
# scope: package
# title: Every fact is there
# description: >-
#   Each member of the question has to be present and of its type, for the plan as a whole and for each column. What is
#   absent is never read as harmless.
# custom:
#   severity: critical
#   controls: [BAUTA-GATE-1, SOC2-CC8.1]
#   codes:
#     GATE_FACT_MISSING: this is a fault of Bauta or of its caller; build the question with toGateInput and ask again
package gate.facts

import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

text_type := {"string"}

count_type := {"number"}

maybe_number := {"number", "null"}

maybe_text := {"string", "null"}

maybe_object := {"object", "null"}

required := {
	"version": count_type,
	"today": count_type,
	"nowMs": count_type,
	"workspace": text_type,
	"pipeline": text_type,
	"environment": text_type,
	"planDigest": text_type,
	"catalogueDigest": text_type,
	"keyVersion": maybe_number,
	"tokenKeyVersion": maybe_number,
	"key": {"object"},
	"tokenKey": {"object"},
	"stated": {"object"},
	"source": {"object"},
	"target": {"object"},
	"knownSources": {"array"},
	"columns": {"array"},
	"schemaTexts": {"array"},
	"again": maybe_object,
}

members := {
	"key": {"version": maybe_number, "expiresAtMs": maybe_number},
	"tokenKey": {"version": maybe_number, "expiresAtMs": maybe_number},
	"stated": {
		"purposeLength": count_type,
		"ownerLength": count_type,
		"legalBasisLength": count_type,
		"subjectCategories": count_type,
		"retentionDays": count_type,
	},
	"source": {
		"systemIdentifier": text_type,
		"database": text_type,
		"region": maybe_text,
		"writable": {"boolean"},
		"writableException": maybe_object,
	},
	"target": {
		"environment": text_type,
		"class": text_type,
		"region": maybe_text,
		"safeguardLength": count_type,
		"allows": {"array"},
		"tokens": {"array"},
		"systemIdentifier": text_type,
		"address": text_type,
		"database": text_type,
		"sameServerException": maybe_object,
	},
}

of_column := {
	"table": text_type,
	"column": text_type,
	"path": maybe_text,
	"tag": text_type,
	"transform": text_type,
	"reversible": {"boolean"},
	"form": maybe_text,
	"paramsDigest": text_type,
	"scope": text_type,
	"domain": text_type,
	"uniqueness": text_type,
	"reveals": {"array"},
	"unique": {"boolean"},
	"component": maybe_number,
	"type": text_type,
	"rest": maybe_text,
	"reasonLength": count_type,
	"expiresDay": maybe_number,
	"distinctRatio": maybe_number,
	"speaksOfPerson": {"boolean"},
}

of_again := {"startedAtMs": maybe_number, "erasureAtMs": maybe_number, "revoked": {"boolean"}}

of_source := {"systemIdentifier": text_type, "address": text_type, "database": text_type}

of_token_domain := {
	"domain": text_type,
	"sources": {"array"},
	"paramsDigest": text_type,
	"vaulted": {"boolean"},
	"reachable": {"boolean"},
	"reasonLength": count_type,
	"expiresDay": maybe_number,
}

of_text := {"action": text_type, "reasonLength": count_type, "expiresDay": maybe_number}

of_exception := {"reasonLength": count_type, "expiresDay": maybe_number}

deny contains reason.of(meta, "GATE_FACT_MISSING", concat("", ["the fact ", name, " is missing or not of its type"])) if {
	some name in missing
}

missing contains name if {
	some name, types in required
	not has(input, name, types)
}

missing contains concat(".", [group, name]) if {
	some group, specs in members
	some name, types in specs
	not has(object.get(input, group, {}), name, types)
}

missing contains "columns" if count(object.get(input, "columns", [])) == 0

missing contains entry("columns", position, name) if {
	some position, column in input.columns
	some name, types in of_column
	not has(column, name, types)
}

missing contains concat(".", ["again", name]) if {
	again := input.again
	again != null
	some name, types in of_again
	not has(again, name, types)
}

missing contains entry("knownSources", position, name) if {
	some position, source in input.knownSources
	some name, types in of_source
	not has(source, name, types)
}

missing contains entry("schemaTexts", position, name) if {
	some position, text in input.schemaTexts
	some name, types in of_text
	not has(text, name, types)
}

missing contains entry("target.tokens", position, name) if {
	some position, domain in input.target.tokens
	some name, types in of_token_domain
	not has(domain, name, types)
}

missing contains concat(".", ["source.writableException", name]) if {
	exception := input.source.writableException
	exception != null
	some name, types in of_exception
	not has(exception, name, types)
}

missing contains concat(".", ["target.sameServerException", name]) if {
	exception := input.target.sameServerException
	exception != null
	some name, types in of_exception
	not has(exception, name, types)
}

missing contains "input" if not input

# The question has a form; a rule that was written for another form could pass what it does not see.
missing contains "version 1" if object.get(input, "version", 0) != 1

has(thing, name, types) if {
	is_object(thing)
	name in object.keys(thing)
	type_name(thing[name]) in types
}

entry(list, position, name) := concat("", [list, "[", format_int(position, 10), "].", name])
