# The program as a user types it.  One CTest case per file; each prints what its cases found.
function(destra_cli_test name)
  cmake_parse_arguments(T "" "TIMEOUT" "LABELS" ${ARGN})
  add_test(NAME cli_${name}
    COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/cli/test_${name}.py"
      "$<TARGET_FILE:destrasim>" "${CMAKE_SOURCE_DIR}")
  set_tests_properties(cli_${name} PROPERTIES LABELS "${T_LABELS}" SKIP_RETURN_CODE 77
    TIMEOUT "${T_TIMEOUT}")
endfunction()

if(TARGET destrasim)
  destra_cli_test(usage LABELS unit TIMEOUT 300)
  destra_cli_test(scenarios LABELS unit TIMEOUT 300)
  destra_cli_test(run LABELS unit TIMEOUT 300)
  destra_cli_test(detect LABELS unit TIMEOUT 120)
  destra_cli_test(determinism LABELS determinism TIMEOUT 600)
  destra_cli_test(diff LABELS unit TIMEOUT 300)
  destra_cli_test(report LABELS unit TIMEOUT 300)
  destra_cli_test(report_browser LABELS slow TIMEOUT 600)
  destra_cli_test(compare LABELS unit TIMEOUT 600)
  destra_cli_test(trace LABELS unit TIMEOUT 300)
  destra_cli_test(private LABELS unit TIMEOUT 300)
  if(TARGET destrasim-mutants)
    set_tests_properties(cli_determinism cli_trace PROPERTIES
      ENVIRONMENT "DESTRA_MUTANTS=$<TARGET_FILE:destrasim-mutants>")
  endif()
  destra_cli_test(rare LABELS statistics TIMEOUT 300)
  destra_cli_test(kill LABELS unit TIMEOUT 600)
  destra_cli_test(fuzz LABELS fuzz TIMEOUT 600)
  destra_cli_test(tune LABELS determinism TIMEOUT 900)
  destra_cli_test(sweep LABELS determinism TIMEOUT 900)
  destra_cli_test(builds LABELS "determinism-build;slow" TIMEOUT 3600)
  add_test(NAME cli_kill_100
    COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/cli/test_kill.py"
      "$<TARGET_FILE:destrasim>" "${CMAKE_SOURCE_DIR}")
  set_tests_properties(cli_kill_100 PROPERTIES LABELS "slow" SKIP_RETURN_CODE 77 TIMEOUT 1200
    ENVIRONMENT DESTRA_KILLS=100)
endif()
