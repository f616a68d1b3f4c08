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
  destra_cli_test(scenarios LABELS unit TIMEOUT 120)
  destra_cli_test(run LABELS unit TIMEOUT 300)
  destra_cli_test(detect LABELS unit TIMEOUT 120)
  destra_cli_test(determinism LABELS determinism TIMEOUT 300)
  destra_cli_test(builds LABELS "determinism-build;slow" TIMEOUT 1800)
endif()
