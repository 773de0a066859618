import pytest
from benchmarks.generate import DATABASE, Size, generate


def texts(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.name != DATABASE}


def test_the_same_arguments_give_the_same_project(tmp_path):
    generate(tmp_path / "one", Size(120), rows=5)
    generate(tmp_path / "two", Size(120), rows=5)
    generate(tmp_path / "other", Size(120), rows=5, seed=2)

    assert texts(tmp_path / "one") == texts(tmp_path / "two")
    assert texts(tmp_path / "one") != texts(tmp_path / "other")


@pytest.mark.parametrize("models", [1, 2, 7, 200])
def test_the_project_has_as_many_models_as_asked_for(tmp_path, models):
    generate(tmp_path / "project", Size(models), rows=1)

    assert len(list((tmp_path / "project" / "models").rglob("*.sql"))) == models


def test_two_fifths_are_staging_views_one_fifth_intermediate_views_and_two_fifths_tables():
    size = Size(200)

    assert (size.staging, size.intermediate, size.marts, size.tests) == (80, 40, 80, 400)


def test_fifty_models_share_a_schema_file(tmp_path):
    generate(tmp_path / "project", Size(300), rows=1)

    described = [file.read_text(encoding="utf-8").count("data_tests") for file in sorted(tmp_path.rglob("schema_*.yml"))]
    assert sorted(described) == [10, 20, 20, 50, 50, 50, 50, 50]


def test_an_existing_folder_is_not_touched(tmp_path):
    with pytest.raises(FileExistsError):
        generate(tmp_path, Size(5))
