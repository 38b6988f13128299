"""The bench of saves prints a line for each thing it compares; never how fast it must be."""

from bench import eventsourcing


def test_it_says_saves_a_second_and_what_opening_costs(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--saves", "2", "--events", "20", "--folder", str(tmp_path)])
    eventsourcing.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line[:24].rstrip() for line in lines[:4]] == list(eventsourcing.WHAT)
    assert all("saves/s at best" in line for line in lines[:4])
    assert lines[4].startswith("opening 20 events")
    assert lines[5].startswith("memory of the index")
    assert list(tmp_path.iterdir()) == []
