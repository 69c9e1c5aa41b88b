"""The main job: from a config to a report, stage by stage, resuming where it stopped."""
