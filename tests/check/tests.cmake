destra_test(check/test_check sim_check LABELS "unit;property")
destra_test(check/test_ledger sim_check LABELS "unit;property")
destra_test(check/test_accountable sim_check LABELS "unit;property")
destra_test(check/test_planted sim_world m LABELS property)
if(TARGET destrasim)
  add_test(NAME check_junit
    COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/check/test_junit.py"
      "$<TARGET_FILE:destrasim>" "${CMAKE_SOURCE_DIR}")
  set_tests_properties(check_junit PROPERTIES LABELS unit TIMEOUT 300)
endif()
