package source.writable_test

import data.gate.fixture
import data.source.writable

codes_of(change) := codes if {
	codes := fixture.codes(writable.deny) with input as fixture.changed({"source": change})
}

test_a_reader_passes if codes_of({}) == set()

test_a_writer_is_refused if codes_of({"writable": true}) == {"SOURCE_WRITABLE"}

test_a_reason_excuses if codes_of({"writable": true, "writableException": fixture.exception}) == set()

test_a_reason_that_is_over_does_not if {
	codes_of({"writable": true, "writableException": {"reasonLength": 40, "expiresDay": 1}}) == {"SOURCE_WRITABLE"}
}

test_not_knowing_is_refused if {
	fixture.codes(writable.deny) == {"SOURCE_WRITABLE"} with input as {"today": fixture.today}
}
