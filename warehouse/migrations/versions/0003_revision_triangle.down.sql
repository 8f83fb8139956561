DROP VIEW mart.revision_triangle_summary, mart.revision_triangle, core.moved_slice, core.first_released, core.slice_state;
