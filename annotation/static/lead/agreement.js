// Agreement of a closed round, for the lead: figures, tables and plots.
export async function showAgreement() {}
