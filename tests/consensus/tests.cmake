# The consensus tests run against a stand-in of the ledger's store (fake_store.c).
destra_test(consensus/test_codec models_consensus LABELS unit)
destra_test(consensus/test_jolteon models_consensus LABELS property)
destra_test(consensus/test_scripts models_consensus LABELS script)
destra_test(consensus/test_statesync models_consensus LABELS "unit;property")
foreach(t IN ITEMS codec jolteon scripts statesync)
  target_sources(test_consensus_${t} PRIVATE consensus/net.c consensus/fake_store.c)
endforeach()
# This one runs on the ledger itself.
destra_test(consensus/test_on_ledger models_consensus models_ledger LABELS property)
target_sources(test_consensus_on_ledger PRIVATE consensus/net.c consensus/real_store.c)
