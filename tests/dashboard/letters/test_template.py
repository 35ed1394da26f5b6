"""The Word template of letters is what its program writes."""

from dashboard.letters.word_template import PATH, template


def test_the_stored_template_is_the_one_of_the_program():
    assert PATH.read_bytes() == template()
