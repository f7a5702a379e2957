from dockless.report.option_groups import grouped

OPTIONS = [
    (("--rate",), "rate"),
    (("-q", "--quiet"), "quiet"),
    (("--nowhere",), "of no group"),
    (("--tag",), "tag"),
    (("--image",), "image"),
    (("--verify", "--no-verify"), "verify"),
]


def test_the_whole_has_every_option_in_the_order_of_its_group() -> None:
    assert grouped(OPTIONS, whole=True) == [
        ("Target", ["image", "tag"]),
        ("Checks", ["verify"]),
        ("Speed and limits", ["rate"]),
        ("Other", ["of no group", "quiet"]),
    ]


def test_without_the_rest_there_are_the_common_options_only() -> None:
    assert grouped(OPTIONS, whole=False) == [("Target", ["image", "tag"]), ("Other", ["quiet"])]
