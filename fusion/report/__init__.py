"""What a run leaves for people: tables, figures and one page, all from the files of the run folder."""
