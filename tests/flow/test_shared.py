import errno
import os

from fusion.flow.shared import link


def test_files_are_linked_and_a_replaced_source_is_linked_anew(tmp_path):
    source, target = tmp_path / "a", tmp_path / "b"
    (source / "features").mkdir(parents=True)
    (source / "features/x.csv").write_text("1\n")
    (source / "features/.half").write_text("")
    link(source, target, ("features/*",))
    assert [path.name for path in (target / "features").iterdir()] == ["x.csv"]
    assert (target / "features/x.csv").samefile(source / "features/x.csv")
    (source / "features/y.csv").write_text("2\n")
    os.replace(source / "features/y.csv", source / "features/x.csv")
    assert (target / "features/x.csv").read_text() == "1\n"
    link(source, target, ("features/*",))
    assert (target / "features/x.csv").read_text() == "2\n"


def test_a_disk_without_links_gets_copies(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.csv").write_text("1\n")

    def none(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", none)
    link(tmp_path / "a", tmp_path / "b", ("*.csv",))
    assert (tmp_path / "b/x.csv").read_text() == "1\n"
    assert not (tmp_path / "b/x.csv").samefile(tmp_path / "a/x.csv")
