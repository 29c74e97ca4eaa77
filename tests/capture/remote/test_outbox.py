"""No slot is free before its frame is safe elsewhere and read by nobody; whatever is not safe can be sent again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from capture.errors import CaptureError
from capture.messages import Image
from capture.remote.outbox import Outbox

WINDOW = 4
SLOTS = 12


class Reading:
    """A message on its way."""

    def __init__(self) -> None:
        self.done = False


def image(seq: int) -> Image:
    return Image("s", seq, seq, 0, 1, 0, seq % SLOTS)


def send_all(outbox: Outbox) -> list[int]:
    sent = []
    while (one := outbox.next_to_send()) is not None:
        outbox.sent_with(None)
        sent.append(one.seq)
    return sent


def filled(count: int, first: int = 0) -> Outbox:
    outbox = Outbox()
    for seq in range(first, first + count):
        outbox.add(image(seq))
    return outbox


def test_nothing_is_sent_before_the_storage_machine_says_from_where():
    outbox = filled(3)
    assert send_all(outbox) == []
    outbox.resume(0, WINDOW)
    assert send_all(outbox) == [0, 1, 2]


def test_no_more_is_sent_than_was_granted():
    outbox = filled(10)
    outbox.resume(0, WINDOW)
    assert send_all(outbox) == [0, 1, 2, 3]
    outbox.acknowledge(2, 1)
    assert send_all(outbox) == [4, 5]


def test_what_was_not_acknowledged_is_sent_again_after_a_cut():
    outbox = filled(8)
    outbox.resume(0, WINDOW)
    send_all(outbox)
    outbox.acknowledge(2, 1)
    outbox.pause()
    assert send_all(outbox) == []
    assert outbox.resume(3, WINDOW) == 1
    assert send_all(outbox) == [3, 4, 5]


def test_a_sender_that_was_started_anew_goes_on_with_what_the_ring_holds():
    outbox = filled(5, first=100)
    outbox.resume(102, WINDOW)
    outbox.acknowledge(102, 101)
    assert outbox.free_slots() == [100 % SLOTS, 101 % SLOTS]
    assert send_all(outbox) == [102, 103, 104]
    outbox.acknowledge(105, 104)
    assert outbox.free_slots() == [seq % SLOTS for seq in range(102, 105)]


def test_frames_told_of_twice_are_held_once():
    outbox = filled(4)
    for seq in range(5):
        outbox.add(image(seq))
    assert outbox.waiting == 5


def test_a_frame_out_of_turn_is_an_error():
    with pytest.raises(CaptureError, match="frame 9"):
        filled(3).add(image(9))


def test_a_storage_machine_that_lost_what_it_had_said_was_safe_is_an_error():
    outbox = filled(4)
    outbox.resume(0, WINDOW)
    send_all(outbox)
    outbox.acknowledge(3, 2)
    with pytest.raises(CaptureError, match="lost 3 frames"):
        outbox.resume(0, WINDOW)


def test_a_slot_is_not_free_while_a_message_reads_it():
    outbox = filled(2)
    outbox.resume(0, WINDOW)
    reading = Reading()
    assert outbox.next_to_send() is not None
    outbox.sent_with(reading)
    send_all(outbox)
    outbox.acknowledge(2, 1)
    assert outbox.free_slots() == []
    reading.done = True
    assert outbox.free_slots() == [0, 1]


def test_when_it_is_given_up_all_slots_come_back_also_those_to_come():
    outbox = filled(3)
    outbox.give_up()
    outbox.add(image(3))
    assert outbox.free_slots() == [0, 1, 2, 3]
    assert outbox.told == 4
    assert outbox.durable == -1


class Transfer(RuleBasedStateMachine):
    """A capture machine, a storage machine and a link that is cut whenever it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox()
        self.told = 0
        self.in_use: set[int] = set()
        self.on_the_way: list[tuple[int, Reading]] = []
        self.received: list[int] = []
        self.safe = 0
        self.linked = False

    @precondition(lambda self: len(self.in_use) < SLOTS)
    @rule()
    def take_a_frame(self) -> None:
        self.in_use.add(self.told % SLOTS)
        self.outbox.add(image(self.told))
        self.told += 1

    @precondition(lambda self: self.linked)
    @rule()
    def send(self) -> None:
        while (one := self.outbox.next_to_send()) is not None:
            assert one.slot in self.in_use
            reading = Reading()
            self.outbox.sent_with(reading)
            self.on_the_way.append((one.seq, reading))

    @precondition(lambda self: self.on_the_way)
    @rule()
    def arrive(self) -> None:
        seq, reading = self.on_the_way.pop(0)
        assert seq % SLOTS in self.in_use, "the slot was free while it was read"
        reading.done = True
        if seq == len(self.received):
            self.received.append(seq)

    @rule(share=st.floats(0, 1))
    def make_safe(self, share: float) -> None:
        self.safe += round((len(self.received) - self.safe) * share)
        if self.linked:
            self.outbox.acknowledge(self.safe, self.safe - 1)

    @rule()
    def cut(self) -> None:
        self.linked = False
        self.outbox.pause()
        for _, reading in self.on_the_way:
            reading.done = True
        self.on_the_way.clear()

    @rule(restarted=st.booleans())
    def link(self, restarted: bool) -> None:
        if self.linked:
            return
        if restarted:
            del self.received[self.safe :]
        self.linked = True
        self.outbox.resume(len(self.received), WINDOW)

    @rule()
    def give_back(self) -> None:
        for slot in self.outbox.free_slots():
            self.in_use.remove(slot)

    @invariant()
    def every_frame_that_is_not_safe_is_still_there(self) -> None:
        assert {seq % SLOTS for seq in range(self.safe, self.told)} <= self.in_use

    @invariant()
    def the_credit_is_kept(self) -> None:
        assert len(self.on_the_way) <= WINDOW

    def teardown(self) -> None:
        if not self.linked:
            self.link(restarted=False)
        for _ in range(200):
            self.send()
            while self.on_the_way:
                self.arrive()
            self.make_safe(1.0)
            self.give_back()
        assert self.received == list(range(self.told))
        assert not self.in_use


TestTransfer = Transfer.TestCase
TestTransfer.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(st.integers(0, 20), st.integers(0, 20))
def test_what_was_told_is_waiting_or_done(count, done):
    outbox = filled(count)
    outbox.acknowledge(min(done, count), min(done, count) - 1)
    assert outbox.waiting == count - min(done, count)
    assert outbox.told == count
