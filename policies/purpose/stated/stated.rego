# METADATA
# scope: package
# title: Purpose, owner and legal basis are stated
# description: >-
#   A copy of personal data has a purpose, an owner, a legal basis, categories of persons and an end. Length and number are
#   judged, not the words, which never reach the policy.
# custom:
#   severity: medium
#   controls: [BAUTA-PURPOSE-1, GDPR-Art5, GDPR-Art6, GDPR-Art30, SOC2-P4.1, SOC2-CC8.1]
#   codes:
#     PURPOSE_MISSING: write the purpose of the copy into the pipeline
#     OWNER_MISSING: write the owner of the copy into the pipeline
#     LEGAL_BASIS_MISSING: write the legal basis into the pipeline
#     SUBJECTS_MISSING: write the categories of persons into the pipeline
#     RETENTION_MISSING: write into the pipeline after how many days the copy is to be deleted
package purpose.stated

import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

stated(member, least) if {
	value := input.stated[member]
	is_number(value)
	value >= least
}

deny contains reason.of(meta, "PURPOSE_MISSING", "the pipeline states no purpose") if not stated("purposeLength", 3)

deny contains reason.of(meta, "OWNER_MISSING", "the pipeline states no owner") if not stated("ownerLength", 1)

deny contains reason.of(meta, "LEGAL_BASIS_MISSING", "the pipeline states no legal basis") if not stated("legalBasisLength", 3)

deny contains reason.of(meta, "SUBJECTS_MISSING", "the pipeline states no categories of persons") if not stated("subjectCategories", 1)

deny contains reason.of(meta, "RETENTION_MISSING", "the pipeline states no retention in days") if not stated("retentionDays", 1)
