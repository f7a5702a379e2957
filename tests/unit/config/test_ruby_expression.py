"""What Ruby 3.1 answered for each of these expressions, with active_support's `present?`."""

import pytest

from dockless.config.ruby_expression import RubyValue, Unknown, evaluate

ENVIRONMENT = {"USER": "acme", "EMPTY": "", "BLANK": " \t", "STAGE": "prod"}


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ('ENV["USER"]', "acme"),
        ("ENV['NONE']", None),
        ('"a" ', "a"),
        ("nil", None),
        ('ENV["STAGE"] == "prod"', True),
        ('"prod" != ENV["STAGE"]', False),
        ('ENV["NONE"] == nil', True),
        ('ENV["EMPTY"] == nil', False),
        ('ENV.fetch("STAGE", "x") == "prod" && ENV["USER"] != ""', True),
        ('ENV["NONE"] || ENV["EMPTY"] || "d"', ""),
        ('ENV["NONE"] && "a" || "b"', "b"),
        ('"a" || nil && false', "a"),
        ('!ENV["NONE"]', True),
        ('!ENV["EMPTY"]', False),
        ('!ENV["USER"] == "acme"', False),
        ('!(ENV["USER"] == "acme")', False),
        ('!!ENV["USER"].nil?', False),
        ('ENV["BLANK"].present?', False),
        ('ENV["BLANK"].empty?', False),
        ('ENV["EMPTY"].blank? == true', True),
        ('ENV["NONE"].to_s.empty?', True),
        ('ENV.fetch("NONE") { ENV["USER"] }', "acme"),
        ("ENV.fetch 'NONE', nil", None),
        ('ENV.fetch("USER") { ENV.fetch("NONE") }', "acme"),
        ('"a" || ENV.fetch("NONE")', "a"),
        ('false && Time.now || "x"', Unknown()),
        ('ENV.fetch("NONE")', Unknown("NONE")),
        ('ENV.fetch("USER", ENV.fetch("NONE"))', Unknown("NONE")),
        ('ENV.fetch("NONE") == "x"', Unknown("NONE")),
        ('!ENV.fetch("NONE").nil?', Unknown("NONE")),
        ('ENV["NONE"].empty?', Unknown()),
        ('"a" == "a" == true', Unknown()),
        ('"x" == ENV.fetch "USER", "d"', Unknown()),
        ('ENV["USER"].upcase', Unknown()),
        ('ENV["USER"] =~ /a/', Unknown()),
        ('"#{1}"', Unknown()),
        ('"a" "b"', Unknown()),
        ('("a"', Unknown()),
        ('ENV["USER"', Unknown()),
        ("", Unknown()),
        ("!", Unknown()),
    ],
)
def test_an_expression_has_the_value_that_ruby_gives_it_or_none(
    code: str, value: RubyValue
) -> None:
    found = evaluate(code, ENVIRONMENT)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("code", ["(" * 500_000, "!" * 500_000, '"a" == ' * 100_000, '"' * 500_001])
def test_an_expression_of_any_length_is_read(code: str) -> None:
    assert evaluate(code, {}) == Unknown()


def test_a_long_chain_is_answered() -> None:
    assert evaluate('ENV["NONE"] || ' * 50_000 + '"x"', {}) == "x"
