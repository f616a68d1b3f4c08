# A fuzz target: with libFuzzer where the sanitizers name it (preset `fuzz`), and with the corpus that
# such runs left behind as an ordinary test.
function(destra_fuzz name)
  if(DESTRA_SANITIZE MATCHES "fuzzer")
    add_executable(fuzz_${name} fuzz/fuzz_${name}.c)
    target_link_libraries(fuzz_${name} PRIVATE destra_test ${ARGN} -fsanitize=fuzzer)
  else()
    add_executable(test_fuzz_${name} fuzz/fuzz_${name}.c fuzz/replay.c)
    target_link_libraries(test_fuzz_${name} PRIVATE destra_test ${ARGN})
    add_test(NAME fuzz_${name}
      COMMAND test_fuzz_${name} "${CMAKE_CURRENT_SOURCE_DIR}/fuzz/${name}.corpus")
    set_tests_properties(fuzz_${name} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
endfunction()

destra_fuzz(decode models_client models_consensus sim_workload)
destra_fuzz(scenario sim_scenario)
destra_fuzz(step models_adversary)
destra_fuzz(proof models_privacy)
