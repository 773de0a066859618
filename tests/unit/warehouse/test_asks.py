from __future__ import annotations

import pytest

from afresh.warehouse.asks import AskFiles, AskSql, Failed, FileStat, FileStats, Rows, ask_one, settled, together


def sql(text):
    return AskSql(text, None, text)


def steps(*texts):
    heard = []
    for text in texts:
        answer = yield from ask_one(sql(text))
        heard.append(answer.rows[0][0])
    return heard


def hold(talk):
    rounds = []
    try:
        asks = next(talk)
        while True:
            rounds.append([ask.sql for ask in asks])
            asks = talk.send(tuple(Rows((), ((f"answer to {ask.sql}",),)) for ask in asks))
    except StopIteration as end:
        return rounds, end.value


def test_conversations_in_step_share_their_rounds_and_get_their_own_answers():
    rounds, heard = hold(together([steps("a1", "a2"), steps("b1"), settled("nothing"), steps("c1", "c2", "c3")]))
    assert rounds == [["a1", "b1", "c1"], ["a2", "c2"], ["c3"]]
    assert heard == (["answer to a1", "answer to a2"], ["answer to b1"], "nothing", ["answer to c1", "answer to c2", "answer to c3"])


def test_no_conversations_ask_nothing():
    assert hold(together([])) == ([], ())


def test_questions_and_answers_are_values():
    assert AskFiles(("a",)) == AskFiles(("a",))
    assert hash(FileStats((FileStat("a", 1, 2),))) == hash(FileStats((FileStat("a", 1, 2, 0),)))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("Database Error\n  relation does not exist\n  LINE 1", "relation does not exist"),
        ("no rights", "no rights"),
        ("Runtime Error\n", "Runtime Error"),
        (" \n", "no reason was given"),
    ],
)
def test_the_reason_of_a_failure_is_the_line_that_says_something(error, reason):
    assert Failed(error).reason == reason
