# Whole runs over the public interface of sim/world.
destra_test(world/test_exact sim_world m LABELS determinism)
destra_test(world/test_calm sim_world m LABELS property)
destra_test(world/test_crash sim_world m LABELS fault)
destra_test(world/test_crypto sim_world m LABELS determinism)
destra_test(world/test_determinism sim_world m LABELS determinism)
destra_test(world/test_common_numbers sim_world m LABELS property)
destra_test(world/test_seeds sim_world m LABELS "slow;property")
