package purpose.stated_test

import data.gate.fixture
import data.purpose.stated

codes_of(change) := codes if {
	codes := fixture.codes(stated.deny) with input as fixture.changed({"stated": change})
}

test_all_stated_passes if codes_of({}) == set()

test_each_is_asked_for if {
	codes_of({"purposeLength": 0}) == {"PURPOSE_MISSING"}
	codes_of({"ownerLength": 0}) == {"OWNER_MISSING"}
	codes_of({"legalBasisLength": 0}) == {"LEGAL_BASIS_MISSING"}
	codes_of({"subjectCategories": 0}) == {"SUBJECTS_MISSING"}
	codes_of({"retentionDays": 0}) == {"RETENTION_MISSING"}
}

test_nothing_at_all_is_five_reasons if {
	count(fixture.codes(stated.deny)) == 5 with input as {}
}
