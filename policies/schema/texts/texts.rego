# METADATA
# scope: package
# title: Personal data in the schema is kept for a reason
# description: >-
#   A default, check, comment or body that a detector hit and that is kept anyway states why; a last day that it has counts.
# custom:
#   severity: critical
#   controls: [BAUTA-EXCEPTION-4, GDPR-Art25, SOC2-CC8.1]
#   codes:
#     SCHEMA_TEXT_WITHOUT_REASON: drop or rewrite the object, or write why its text may be kept
#     SCHEMA_TEXT_EXPIRED: drop or rewrite the object, or have the exception decided anew with a later last day
package schema.texts

import data.gate.exception
import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

deny contains reason.of(meta, "SCHEMA_TEXT_WITHOUT_REASON", message) if {
	some position, text in input.schemaTexts
	object.get(text, "action", "keep") != "drop"
	not exception.reasoned(text)
	message := concat("", ["entry ", format_int(position + 1, 10), " of schemaTexts keeps a text without a reason"])
}

deny contains reason.of(meta, "SCHEMA_TEXT_EXPIRED", message) if {
	some position, text in input.schemaTexts
	object.get(text, "action", "keep") != "drop"
	exception.past(text, input.today)
	message := concat("", ["the exception of entry ", format_int(position + 1, 10), " of schemaTexts is over"])
}
