"""Guessing a PIN gets slow, badge by badge."""

from hub.web.throttle import BADGES_AT_MOST, SignInGuard


def test_five_wrong_pins_make_a_badge_wait_one_five_and_fifteen_minutes() -> None:
    guard = SignInGuard()
    for _ in range(4):
        guard.wrong("B-1", 100.0)
    assert guard.wait_s("B-1", 100.0) == 0
    guard.wrong("B-1", 100.0)
    assert guard.wait_s("B-1", 100.0) == 60
    assert guard.wait_s("B-1", 161.0) == 0
    guard.wrong("B-1", 161.0)
    assert guard.wait_s("B-1", 161.0) == 300
    for _ in range(3):
        guard.wrong("B-1", 500.0)
    assert guard.wait_s("B-1", 500.0) == 900
    assert guard.wait_s("B-2", 500.0) == 0


def test_the_right_pin_forgets_the_wrong_ones() -> None:
    guard = SignInGuard()
    for _ in range(5):
        guard.wrong("B-1", 0.0)
    guard.right("B-1")
    assert guard.wait_s("B-1", 0.0) == 0


def test_the_count_of_badges_is_bounded() -> None:
    guard = SignInGuard()
    for number in range(BADGES_AT_MOST + 50):
        guard.wrong(f"B-{number}", 0.0)
    assert len(guard._failures) == BADGES_AT_MOST
