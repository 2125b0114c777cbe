# METADATA
# scope: package
# title: Every fact about a deployment is there
# description: >-
#   Each member of the question has to be present and of its type. What is absent is never read as harmless.
# custom:
#   severity: critical
#   controls: [BAUTA-DEPLOY-1, SOC2-CC8.1]
#   codes:
#     DEPLOY_FACT_MISSING: this is a fault of Bauta or of its caller; ask with every fact
package deploy.facts

import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

maybe_text := {"string", "null"}

maybe_number := {"number", "null"}

maybe_object := {"object", "null"}

required := {
	"version": {"number"},
	"today": {"number"},
	"nowMs": {"number"},
	"workspace": {"string"},
	"gate": {"object"},
	"request": {"object"},
	"environment": {"object"},
	"log": {"object"},
	"dataset": maybe_object,
	"production": maybe_object,
	"requirements": {"array"},
	"evidence": {"array"},
	"parameters": {"object"},
}

members := {
	"gate": {"name": {"string"}, "threshold": {"number"}, "environments": {"array"}, "services": {"array"}},
	"request": {
		"environment": {"string"},
		"service": {"string"},
		"commit": maybe_text,
		"image": maybe_object,
		"datasetVersion": maybe_text,
	},
	"environment": {"class": maybe_text},
	"log": {"state": {"string"}, "lagSeconds": {"number"}},
	"parameters": {
		"penalties": {"object"},
		"fixableCriticals": {"number"},
		"driftMaxAgeMs": {"number"},
		"databaseMaxAgeMs": {"number"},
		"statementMaxAgeMs": {"number"},
		"logLagSeconds": {"number"},
	},
}

penalties := {"critical", "high", "medium", "low", "unknown", "failed"}

of_dataset := {
	"points": {"number"},
	"checkPoints": {"number"},
	"statement": maybe_object,
	"version": maybe_object,
}

of_statement := {
	"state": {"string"},
	"signer": {"string"},
	"compared": {"string"},
	"atMs": maybe_number,
	"run": maybe_text,
	"label": maybe_text,
	"expiresAtMs": maybe_number,
}

of_version := {
	"expiresAtMs": {"number"},
	"publishedAtMs": {"number"},
	"lookedAtMs": maybe_number,
	"lookError": maybe_text,
	"drift": {"array"},
	"rowsError": maybe_text,
	"rowsDrifted": {"number"},
	"liveValues": {"number"},
	"checks": maybe_object,
	"revoked": {"boolean"},
	"dropped": {"boolean"},
	"quarantined": {"boolean"},
}

of_requirement := {
	"name": {"string"},
	"type": {"string"},
	"tool": maybe_text,
	"subject": {"string"},
	"points": {"number"},
	"maxAgeMs": {"number"},
	"producers": {"array"},
}

of_item := {
	"id": {"string"},
	"type": {"string"},
	"tool": maybe_text,
	"subject": {"object"},
	"producer": {"object"},
	"receivedAtMs": {"number"},
	"madeAtMs": maybe_number,
	"databaseAtMs": maybe_number,
	"state": {"string"},
	"why": maybe_text,
	"counts": {"object"},
	"fixableCriticals": {"number"},
	"failed": {"number"},
	"waived": {"number"},
}

deny contains reason.of(meta, "DEPLOY_FACT_MISSING", concat("", ["the fact ", name, " is missing or not of its type"])) if {
	some name in missing
}

missing contains "input" if not input

missing contains "version 1" if object.get(input, "version", 0) != 1

missing contains name if {
	some name, types in required
	not has(input, name, types)
}

missing contains concat(".", [group, name]) if {
	some group, specs in members
	some name, types in specs
	not has(object.get(input, group, {}), name, types)
}

missing contains concat(".", ["parameters.penalties", name]) if {
	some name in penalties
	not natural(object.get(input, ["parameters", "penalties", name], null))
}

missing contains concat(".", ["dataset", name]) if {
	is_object(input.dataset)
	some name, types in of_dataset
	not has(input.dataset, name, types)
}

missing contains concat(".", ["dataset", name]) if {
	is_object(input.dataset)
	some name in ["points", "checkPoints"]
	not natural(object.get(input, ["dataset", name], null))
}

missing contains "gate.threshold" if not natural(object.get(input, ["gate", "threshold"], null))

missing contains concat(".", ["dataset.statement", name]) if {
	is_object(input.dataset.statement)
	some name, types in of_statement
	not has(input.dataset.statement, name, types)
}

missing contains concat(".", ["dataset.version", name]) if {
	is_object(input.dataset.version)
	some name, types in of_version
	not has(input.dataset.version, name, types)
}

missing contains "request.image.digest" if {
	is_object(input.request.image)
	not has(input.request.image, "digest", maybe_text)
}

missing contains entry("requirements", position, name) if {
	some position, requirement in input.requirements
	some name, types in of_requirement
	not has(requirement, name, types)
}

# Points that are no whole numbers, or none, would make another score than the documented one.
missing contains entry("requirements", position, "points") if {
	some position, requirement in input.requirements
	not natural(requirement.points)
}

missing contains entry("evidence", position, name) if {
	some position, item in input.evidence
	some name, types in of_item
	not has(item, name, types)
}

missing contains entry("evidence", position, name) if {
	some position, item in input.evidence
	some name in ["fixableCriticals", "failed"]
	not natural(item[name])
}

missing contains entry("evidence", position, concat(".", ["counts", name])) if {
	some position, item in input.evidence
	some name in ["critical", "high", "medium", "low", "unknown"]
	not natural(object.get(item, ["counts", name], null))
}

natural(x) if {
	is_number(x)
	x >= 0
	x == floor(x)
}

has(thing, name, types) if {
	is_object(thing)
	name in object.keys(thing)
	type_name(thing[name]) in types
}

entry(list, position, name) := concat("", [list, "[", format_int(position, 10), "].", name])
