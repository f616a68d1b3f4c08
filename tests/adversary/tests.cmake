destra_test(adversary/test_cheats sim_world m LABELS "statistics;property")
destra_test(adversary/test_edits models_adversary m LABELS unit)
