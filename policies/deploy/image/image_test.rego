package deploy.image_test

import data.deploy.fixture
import data.deploy.image

asked(change) := codes if codes := fixture.codes(image.deny) with input as fixture.changed(change)

test_a_digest_passes if asked({}) == set()

test_no_image_passes if asked({"request": {"image": null}}) == set()

test_a_tag_is_refused if asked({"request": {"image": {"digest": null}}}) == {"IMAGE_NOT_PINNED"}
