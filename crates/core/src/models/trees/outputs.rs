//! What a forest says of a row besides its score, the same for every kind of tree model.
//!
//! `margin`: the sum or mean of the trees. `leaf`: the leaf of each tree, numbered from 0, left to
//! right. `contribution`: see [`super::shap`]. With several classes `margin_0`, `margin_1`, … and
//! `contribution_0_FEATURE`, … are numbered by class.

use super::forest::Forest;
use super::shap;
use crate::batch::{Batch, Schema};
use crate::error::Result;
use crate::step::Output;

impl Forest {
    /// The names of an output's columns.
    pub fn outputs(&self, output: Output, features: &Schema) -> Option<Vec<String>> {
        match output {
            Output::Leaf if self.n_trees() == 0 => None,
            Output::Leaf => Some((0..self.n_trees()).map(|tree| format!("leaf_{tree}")).collect()),
            _ => output.names(self.n_outputs as usize, features),
        }
    }

    /// Writes an output of every row, row by row.
    ///
    /// # Errors
    /// If a path is too long for contributions.
    pub fn output(
        &self,
        output: Output,
        batch: &mut Batch,
        slots: &[usize],
        values: &mut [f64],
    ) -> Result<()> {
        match output {
            Output::Margin => self.margins(batch, slots, values),
            Output::Leaf => self.leaves(batch, slots, values),
            Output::Contribution => return shap::contributions(self, batch, slots, values),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::trees::draws::{ForestShape, draw_forest, draw_table};

    fn forest(n_outputs: u32) -> (Forest, Batch) {
        let shape = ForestShape {
            n_outputs,
            n_trees: 2 * n_outputs,
            n_num: 1,
            n_text: 1,
            ..ForestShape::default()
        };
        (draw_forest(&shape, 1), draw_table(&shape, 3, 2))
    }

    #[test]
    fn columns_are_named_and_filled() {
        let (one, mut table) = forest(1);
        let name = |output| one.outputs(output, table.schema()).unwrap();
        assert_eq!(name(Output::Margin), ["margin"]);
        assert_eq!(name(Output::Leaf), ["leaf_0", "leaf_1"]);
        assert_eq!(
            name(Output::Contribution),
            ["contribution_x00", "contribution_z00", "contribution_base"]
        );
        for output in [Output::Margin, Output::Leaf, Output::Contribution] {
            let width = one.outputs(output, table.schema()).unwrap().len();
            let mut values = vec![f64::NAN; 3 * width];
            one.output(output, &mut table, &[0, 1], &mut values).unwrap();
            assert!(values.iter().all(|x| x.is_finite()), "{output:?}");
        }
    }

    #[test]
    fn classes_are_numbered() {
        let (three, table) = forest(3);
        let name = |output| three.outputs(output, table.schema()).unwrap();
        assert_eq!(name(Output::Margin), ["margin_0", "margin_1", "margin_2"]);
        let contributions = name(Output::Contribution);
        assert_eq!(contributions.len(), 9);
        assert_eq!(contributions[2..4], ["contribution_0_base", "contribution_1_x00"]);
    }

    #[test]
    fn names_stay_distinct_and_no_tree_has_no_leaf() {
        let columns = [("base", crate::testing::nums(&[1.0]))];
        let table = crate::testing::table(&columns);
        let empty = Forest {
            n_outputs: 1,
            leaf_width: 1,
            base: vec![2.0],
            levels: vec![vec![]],
            ..Forest::default()
        };
        let found = empty.outputs(Output::Contribution, table.schema()).unwrap();
        assert_eq!(found, ["contribution_base", "contribution_base_"]);
        assert_eq!(empty.outputs(Output::Leaf, table.schema()), None);
    }
}
