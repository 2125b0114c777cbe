package schema.texts_test

import data.gate.fixture
import data.schema.texts

codes_of(text) := codes if {
	codes := fixture.codes(texts.deny) with input as fixture.changed({"schemaTexts": [text]})
}

test_a_reason_passes if codes_of({"action": "keep", "reasonLength": 20, "expiresDay": null}) == set()

test_a_dropped_object_needs_nothing if codes_of({"action": "drop", "reasonLength": 0, "expiresDay": null}) == set()

test_no_reason_is_refused if codes_of({"action": "keep", "reasonLength": 0, "expiresDay": null}) == {"SCHEMA_TEXT_WITHOUT_REASON"}

test_a_day_that_is_over_is_refused if codes_of({"action": "keep", "reasonLength": 20, "expiresDay": 1}) == {"SCHEMA_TEXT_EXPIRED"}
